// Command descriptors writes one FileDescriptorSet: every file of the Envoy API, and the project's own .proto files
// compiled against it. Files come after the files they import. imports.go links the Envoy API in; generate writes it.
package main

import (
	"context"
	"log"
	"os"
	"sort"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Usage: descriptors OUTPUT PROTO_FOLDER FILE.proto…
func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: descriptors OUTPUT PROTO_FOLDER FILE.proto…")
	}
	files := append(linkedFiles(), compiledFiles(os.Args[2], os.Args[3:])...)
	set := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	for _, file := range files {
		add(set, seen, file)
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err == nil {
		err = os.WriteFile(os.Args[1], bytes, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func linkedFiles() []protoreflect.FileDescriptor {
	var files []protoreflect.FileDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		files = append(files, file)
		return true
	})
	sort.Slice(files, func(a, b int) bool { return files[a].Path() < files[b].Path() })
	return files
}

func compiledFiles(folder string, names []string) []protoreflect.FileDescriptor {
	linked := protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) {
		file, err := protoregistry.GlobalFiles.FindFileByPath(path)
		return protocompile.SearchResult{Desc: file}, err
	})
	own := &protocompile.SourceResolver{ImportPaths: []string{folder}}
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(protocompile.CompositeResolver{own, linked}),
	}
	compiled, err := compiler.Compile(context.Background(), names...)
	if err != nil {
		log.Fatal(err)
	}
	var files []protoreflect.FileDescriptor
	for _, file := range compiled {
		files = append(files, file)
	}
	return files
}

func add(set *descriptorpb.FileDescriptorSet, seen map[string]bool, file protoreflect.FileDescriptor) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	for i := 0; i < file.Imports().Len(); i++ {
		add(set, seen, file.Imports().Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
}

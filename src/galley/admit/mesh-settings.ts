import { isDeepStrictEqual } from 'node:util';
import type { Issue } from '../../apis/issue.ts';
import { defaultMeshConfig } from '../../apis/mesh/default-mesh-config.ts';
import type { MeshConfig } from '../../apis/mesh/mesh-config.ts';
import type { MeshNetworks } from '../../apis/mesh/mesh-networks.ts';
import { parseMeshConfig } from '../../apis/mesh/parse-mesh-config.ts';
import { parseMeshNetworks } from '../../apis/mesh/parse-mesh-networks.ts';
import type { Diagnostic, FilePosition } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import type { MeshFileReading } from '../sources/mesh-config-file.ts';
import { parseDocument } from '../yaml/parse-document.ts';
import { offsetOf, type Path } from '../yaml/places.ts';
import { positionIn } from '../yaml/positions.ts';

const CONFIG_MAP = 'istio';

type ConfigMap = ConfigObject<'ConfigMap'>;
type Reading<T> = { readonly config: T | undefined; readonly issues: readonly Issue[] };

/** Turns an issue of the text into a diagnostic of whatever holds the text. */
type Attribute = (issue: Issue, place: (path: Path) => FilePosition) => Diagnostic;

/**
 * The mesh's own configuration: from the file if there is one, else from key `mesh` of ConfigMap `istio`; networks from its
 * key `meshNetworks`. What cannot be used keeps what was there before, at first the defaults.
 */
export class MeshSettings {
  readonly #rootNamespace: string;
  #mesh: MeshConfig = defaultMeshConfig;
  #networks: MeshNetworks = {};
  #file: MeshFileReading | undefined;
  #configMap: ConfigMap | undefined;
  #meshDiagnostics: readonly Diagnostic[] = [];
  #networksDiagnostics: readonly Diagnostic[] = [];

  constructor(rootNamespace: string) {
    this.#rootNamespace = rootNamespace;
  }

  get mesh(): MeshConfig {
    return this.#mesh;
  }

  get networks(): MeshNetworks {
    return this.#networks;
  }

  /** Positions of a ConfigMap's diagnostics are left to who knows where the ConfigMap came from. */
  diagnostics(): readonly Diagnostic[] {
    return [...this.#meshDiagnostics, ...this.#networksDiagnostics];
  }

  fileChanged(reading: MeshFileReading): void {
    this.#file = reading;
    this.#readMesh();
  }

  objectsChanged(configMaps: readonly ConfigMap[]): void {
    const configMap = configMaps.find(({ meta }) => meta.name === CONFIG_MAP && meta.namespace === this.#rootNamespace);
    if (configMap === this.#configMap) return;
    this.#configMap = configMap;
    if (this.#file === undefined) this.#readMesh();
    this.#readNetworks();
  }

  #readMesh(): void {
    const file = this.#file;
    if (file?.kind === 'unreadable') {
      this.#meshDiagnostics = [unreadable(file.file, file.message)];
      return;
    }
    const text = file?.text ?? this.#configMap?.spec.data['mesh'];
    if (text === undefined) {
      this.#mesh = newer(this.#mesh, defaultMeshConfig);
      this.#meshDiagnostics = [];
      return;
    }
    const attribute = file === undefined ? this.#inConfigMap('mesh') : inFile;
    const { config, diagnostics } = read(text, file?.file ?? '', { parse: parseMeshConfig, attribute });
    this.#meshDiagnostics = diagnostics;
    this.#mesh = newer(this.#mesh, config);
  }

  #readNetworks(): void {
    const text = this.#configMap?.spec.data['meshNetworks'];
    const attribute = this.#inConfigMap('meshNetworks');
    const { config, diagnostics } =
      text === undefined ? { config: {}, diagnostics: [] } : read(text, '', { parse: readNetworks, attribute });
    this.#networksDiagnostics = diagnostics;
    this.#networks = newer(this.#networks, config);
  }

  #inConfigMap(key: string): Attribute {
    const object = this.#configMap === undefined ? undefined : refOf(this.#configMap);
    return (issue, place) => {
      // A text that cannot be parsed has no paths, so its line is said in words.
      const { line } = place(issue.path);
      const message = issue.code === 'XEB1004' ? `line ${line} of the text ${issue.message}` : issue.message;
      return { ...issue, message, path: ['data', key, ...issue.path], object, at: undefined };
    };
  }
}

function readNetworks(body: unknown): Reading<MeshNetworks> {
  const { networks, issues } = parseMeshNetworks(body);
  return { config: networks, issues };
}

/** The same object as long as it says the same. */
function newer<T>(previous: T, next: T | undefined): T {
  return next === undefined || isDeepStrictEqual(previous, next) ? previous : next;
}

type Reader<T> = { readonly parse: (body: unknown) => Reading<T>; readonly attribute: Attribute };

function read<T>(
  text: string,
  file: string,
  { parse, attribute }: Reader<T>,
): { readonly config: T | undefined; readonly diagnostics: readonly Diagnostic[] } {
  const document = { text, line: 1 };
  const parsed = parseDocument(text);
  if (!parsed.ok) {
    const { code, message, offset } = parsed.error;
    const issue: Issue = { code, level: 'error', path: [], message };
    const place = (): FilePosition => positionIn(document, file, offset);
    return { config: undefined, diagnostics: [attribute(issue, place), attribute(keeping, place)] };
  }
  const { value, events } = parsed.value;
  const place = (path: Path): FilePosition => positionIn(document, file, offsetOf(path, events, text));
  const { config, issues } = parse(value);
  const all = config === undefined ? [...issues, keeping] : issues;
  return { config, diagnostics: all.map((issue) => attribute(issue, place)) };
}

const keeping: Issue = {
  code: 'XEB1015',
  level: 'info',
  path: [],
  message: 'the mesh configuration from before (at first, the defaults) stays in force until this one is repaired',
};

function inFile(issue: Issue, place: (path: Path) => FilePosition): Diagnostic {
  return { ...issue, object: undefined, at: place(issue.path) };
}

function unreadable(file: string, message: string): Diagnostic {
  const explained = `${message}: the mesh configuration from before (at first, the defaults) stays in force`;
  return {
    code: 'XEB1015',
    level: 'error',
    path: [],
    message: explained,
    object: undefined,
    at: { file, line: 1, column: 1 },
  };
}

/** What `xebec local … --help` says: first what to type, last how it ends. */
const overview = `Examples:
  xebec local up samples/bookinfo                 # then: curl http://127.0.0.1:8080/productpage
  xebec local status samples/bookinfo             # pods, ports, and what is wrong with the YAML
  xebec local down samples/bookinfo

Usage: xebec local up|status|exec|down DIR, or xebec local demo

a mesh on this machine, without Kubernetes: needs Linux and root

Commands:
  up DIR                  start what the Deployments of DIR (or DIR/platform) say, and follow every edit
  status DIR              how it is, and what is wrong with the YAML
  exec DIR POD -- COMMAND run a command inside a pod
  down DIR                end it; also cleans up after meshes that were killed
  demo                    a tour through Bookinfo

Exit codes: 0 fine, 1 failed or not ready, 2 wrong use, 3 no mesh runs.
(xebec local up --help explains up, and so on)
`;

const up = `Examples:
  xebec local up samples/bookinfo
  xebec local up samples/bookinfo --publish 8081:80 --publish 31400 --admin-port 15015
  xebec local up samples/bookinfo --workload-cert-ttl 10m   # certificates of pods are renewed every five minutes
  xebec local up samples/bookinfo --foreground    # Ctrl-C ends the mesh
  XEBEC_CA_CERTS_FOLDER=/etc/my-ca xebec local up samples/bookinfo   # an authority of your own, in files as in the Secret cacerts

Usage: xebec local up DIR [options]

start what the Deployments of DIR (or DIR/platform) say, wait until traffic flows, and follow every edit from then on

Options:
  -p, --publish HOST:PORT lead a port of 127.0.0.1 to a port of the gateways' Service; may be repeated (default: 8080:80)
  --admin-port PORT       health, metrics and debug pages on 127.0.0.1 (default: 15014)
  --workload-cert-ttl TTL how long a pod’s certificate is valid; it is renewed at half of that (default: 24h)
  --mesh-config FILE      a MeshConfig, watched (default: DIR/mesh-config.yaml, if there is one)
  --timeout SECONDS       how long to wait for all pods (default: 120)
  --foreground            stay, and end the mesh with this command

Exit codes: 0 every pod takes traffic, 1 not (yet), 2 wrong use.
`;

const status = `Examples:
  xebec local status samples/bookinfo
  xebec local status samples/bookinfo -o json
  watch -n 1 xebec local status samples/bookinfo

Usage: xebec local status DIR [options]

the pods and who they are to each other, where the gateways are published, and what is wrong with the YAML

Options:
  -o, --output FORMAT     table, yaml or json (default: table)

Exit codes: 0 every pod is ready, 1 not every, 2 wrong use, 3 no mesh of this folder runs.
`;

const exec = `Examples:
  xebec local exec samples/bookinfo productpage-v1 -- curl -s http://reviews:9080/reviews/0
  xebec local exec samples/bookinfo reviews-v2 -- ip address
  xebec local exec samples/bookinfo istio-ingressgateway -- bash
  xebec local exec samples/bookinfo legacy/sleep -- curl -s http://details.default:9080/details/0   # of another namespace

Usage: xebec local exec DIR POD -- COMMAND

run a program of this machine inside a pod: its network, its DNS, its identity in /etc/certs. POD is its name or its
Deployment's, and may have a namespace before it (legacy/sleep)

Exit codes: those of the command; 1 cannot enter, 2 wrong use, 3 no mesh of this folder runs.
`;

const down = `Examples:
  xebec local down samples/bookinfo

Usage: xebec local down DIR

end the mesh of a folder: processes, namespaces, ports; also cleans up after meshes that were killed

Exit codes: 0 nothing runs (any more), 1 failed, 2 wrong use.
`;

const demo = `Examples:
  xebec local demo
  xebec local demo --check                        # asks nobody, fails if anything is not as the YAML says
  xebec local demo --publish 8081:80

Usage: xebec local demo [options]

a tour through Bookinfo on a mesh of its own, gone when the tour ends

Options:
  --check                 ask nobody
  -p, --publish PORT:80   where the gateway is on 127.0.0.1 (default: 8080:80, or another port where 8080 is in use)
  --workload-cert-ttl TTL how long a pod’s certificate is valid; it is renewed at half of that (default: 24h)

Exit codes: 0 everything was as the YAML says, 1 something was not, 2 wrong use.
`;

const texts: Readonly<Record<string, string>> = { up, status, exec, down, demo };

/** The help of a command, or of all where there is no such command. */
export function localHelp(command = ''): string {
  return texts[command] ?? overview;
}

export const localCommands: readonly string[] = Object.keys(texts);

import type { Command } from 'commander';

/** Where proxies connect, and who may ask for what there. */
export function addXdsOptions(command: Command): Command {
  return command
    .option('--xds <address>', 'where xDS and certificate requests are served over mutual TLS (default: nowhere)')
    .option('--xds-names <list>', 'names and addresses of that port beside those of its Services')
    .option(
      '--xds-plaintext <address>',
      'where xDS is served without TLS, or off (default: 127.0.0.1:15010, and off beside --xds)',
    )
    .option('--token-audiences <list>', 'what the tokens of callers must be meant for (default: istio-ca)')
    .option(
      '--ca-trusted-node-accounts <list>',
      'accounts (namespace/name) that may ask for certificates of others on their node (default: none)',
    )
    .option(
      '--config-consumers <list>',
      'accounts that may read configuration over --xds, beside those of the root namespace (default: none)',
    )
    .option(
      '--config-source-identity <dir>',
      'a folder with cert-chain.pem, key.pem and root-cert.pem, to call xds:// sources over mutual TLS (default: none)',
    );
}

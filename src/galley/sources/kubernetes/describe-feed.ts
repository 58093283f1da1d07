import { apiVersionsOf } from '../../../apis/collections.ts';
import type { IssueLevel } from '../../../apis/issue.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { GalleyCode } from '../../codes.ts';
import type { KindFeed } from './kind-feed.ts';

/** A feed, and the versions that the cluster serves of its kind; nothing for a kind it does not have. */
export type Described = { readonly feed: KindFeed; readonly served: readonly string[] | undefined };

/** What keeps kinds from being read, for people. Objects that are bad are another matter. */
export function describeFeeds(feeds: readonly Described[]): readonly Diagnostic[] {
  const missing = feeds.filter(({ feed, served }) => feed.state.kind === 'absent' && served === undefined);
  const found = [...feeds.flatMap(describeFeed), ...describeFailing(feeds.map(({ feed }) => feed))];
  const empty = missing.filter(({ feed }) => feed.held === 0).map(({ feed }) => feed.collection.kind);
  if (empty.length > 0) {
    const message = `the cluster has no ${empty.join(', ')}: apply crds/, or install the chart, to use ${empty.length === 1 ? 'it' : 'them'}`;
    found.push(say('info', 'XEB1016', message));
  }
  return found;
}

export function definitionsForbidden(): Diagnostic {
  const message =
    'CustomResourceDefinitions may not be read, so which kinds and versions there are is not known: grant get, list and watch on customresourcedefinitions.apiextensions.k8s.io';
  return say('warning', 'XEB1018', message);
}

function describeFeed({ feed, served }: Described): Diagnostic[] {
  const { collection, state, held } = feed;
  const { kind, plural, group } = collection;
  const resource = group === '' ? plural : `${plural}.${group}`;
  switch (state.kind) {
    case 'starting':
    case 'synced':
    case 'failing':
      return [];
    case 'absent': {
      if (held > 0) {
        const message = `the definition of ${kind} is gone; what ${held} ${held === 1 ? 'object' : 'objects'} of it said stays in force until the definition is back or xebec restarts`;
        return [say('warning', 'XEB1020', message)];
      }
      if (served === undefined) return [];
      const read = apiVersionsOf(collection).join(', ');
      return [say('warning', 'XEB1017', `the cluster serves ${kind} in ${served.join(', ')} only; read is ${read}`)];
    }
    case 'forbidden':
      return [
        say(
          'error',
          'XEB1018',
          `${nameOf(feed)} may not be read: ${state.message}; grant list and watch on ${resource}; what was read before stays in force`,
        ),
      ];
  }
}

/** An API server that is away is one trouble, however many kinds it has. */
function describeFailing(feeds: readonly KindFeed[]): readonly Diagnostic[] {
  const failing = feeds.flatMap((feed) =>
    feed.state.kind === 'failing' ? [{ kind: nameOf(feed), message: feed.state.message }] : [],
  );
  return [...Map.groupBy(failing, ({ message }) => message)].map(([message, kinds]) => {
    const names = kinds.map(({ kind }) => kind).join(', ');
    return say(
      'warning',
      'XEB1019',
      `${names} cannot be read: ${message}; it is tried again, and what was read before stays in force`,
    );
  });
}

/** Secrets are read in chosen namespaces, each with a right of its own. */
function nameOf({ collection: { kind }, namespace }: KindFeed): string {
  return kind === 'Secret' && namespace !== '' ? `Secret in ${namespace}` : kind;
}

function say(level: IssueLevel, code: GalleyCode, message: string): Diagnostic {
  return { code, level, path: [], message, object: undefined, at: undefined };
}

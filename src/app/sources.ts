import { FolderSource } from '../galley/sources/folder-source.ts';
import type { Source } from '../galley/sources/source.ts';
import type { AssembleInputs } from './assemble.ts';

/** Where the configuration says that objects come from; the earlier has the say where two have the same object. */
export function makeSources({ config, clock }: AssembleInputs): readonly Source[] {
  const sources: Source[] = [];
  if (config.source !== undefined) sources.push(new FolderSource({ path: config.source, clock }));
  return sources;
}

import { Buffer } from 'node:buffer';
import { boolYaml11Tag, defineScalarTag, FAILSAFE_SCHEMA, mergeTag, NOT_RESOLVED, nullYaml11Tag } from 'js-yaml';
import { readFloat, readInteger } from './scalars.ts';

const numberStarts = [...'-+.0123456789'];

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: numberStarts,
  resolve: (source) => readInteger(source) ?? NOT_RESOLVED,
  identify: () => false,
});

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: numberStarts,
  resolve: (source) => readFloat(source) ?? NOT_RESOLVED,
  identify: () => false,
});

/** kubectl keeps dates as they are written. */
const timestampTag = defineScalarTag<string>('tag:yaml.org,2002:timestamp', {
  resolve: (source) => source,
  identify: () => false,
});

const binaryTag = defineScalarTag<string>('tag:yaml.org,2002:binary', {
  resolve: (source) => Buffer.from(source, 'base64').toString('utf8'),
  identify: () => false,
});

/** YAML as kubectl reads it. */
export const kubectlSchema = FAILSAFE_SCHEMA.withTags(
  nullYaml11Tag,
  boolYaml11Tag,
  intTag,
  floatTag,
  mergeTag,
  timestampTag,
  binaryTag,
);

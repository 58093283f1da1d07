// Part of `npm run generate`: writes the table of values into the chart's README.
import { writeFileSync } from 'node:fs';
import { buildReadme, readmeFile } from './readme.ts';

writeFileSync(readmeFile, buildReadme());

/** The gallery: small diffusion models of distributions in the plane, and what six samplers make of them, on one page. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataSets } from './data-sets.js';
import { type Options, parseOptions } from './options.js';
import { page } from './page.js';
import { type Study, studyOf } from './study.js';

const main = async (options: Options): Promise<void> => {
  const { seed, out, only } = options;
  const started = performance.now();
  const studies: Study[] = [];
  for (const set of dataSets.filter(({ name }) => only === undefined || name === only)) {
    studies.push(await studyOf(set, seed, options, text => console.log(`${set.name}: ${text}`)));
  }
  const seconds = (performance.now() - started) / 1000;
  await mkdir(out, { recursive: true });
  const file = join(out, 'index.html');
  await writeFile(file, page(studies, { seed, seconds }));
  console.log(`${Math.round(seconds)} s in all. Written to ${file}`);
};

main(parseOptions(process.argv.slice(2))).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});

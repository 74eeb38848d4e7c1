/**
 * The suite for GPUs: products, convolutions, fused programs, training and sampling on WebGPU. It is bundled first, since peers' modules
 * for the web are no modules for Node as they are; the same bundle runs on other machines.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, folder } from '../gpu/bundle.js';
import type * as Bundled from '../gpu/node.js';
import { gpuTargets } from '../gpu/targets.js';
import type { Suite } from './suite.js';

export const gpu: Suite = {
  about: 'products, convolutions, fused programs, training and sampling on a GPU',
  run: async (_, report, options) => {
    await bundle(folder);
    const { run }: typeof Bundled = await import(pathToFileURL(join(folder, 'node.mjs')).href);
    const { rows, failed } = await run(options, report);
    if (failed) process.exitCode = 1;
    return rows;
  },
  targets: gpuTargets,
};

/**
 * `npm run bench:browser -- [--json FILE]`: the suite for GPUs in Chromium, on WebGPU and on WebGL2. CHROMIUM names the executable,
 * if it is not /usr/bin/chromium.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Browser, chromium } from 'playwright-core';
import type { GpuOptions, GpuOutcome } from '../gpu/gpu.js';
import { gpuOptions, modes } from '../gpu/options.js';
import { explanation, jsonOf, tablesOf } from '../gpu/output.js';
import { gpuTargets } from '../gpu/targets.js';
import { rowLines, targetLine } from '../report.js';
import type { Row } from '../row.js';
import { serve } from './serve.js';

type Mode = NonNullable<GpuOptions['mode']>;

const command = new Command('npm run bench:browser --')
  .option('--json <file>', 'write rows, ratios and targets there as well')
  .option('--quick', 'a look whether everything runs', false)
  .addOption(new Option('--mode <mode...>', 'how the GPU is reached').choices(modes).default(['webgpu', 'webgl2']))
  .addOption(
    new Option('--adapter <kind>', 'a GPU, or software in its place; by default what the machine has').choices([
      'hardware',
      'software',
    ]),
  );
for (const option of gpuOptions()) command.addOption(option);
command.parse();
const { json, mode, adapter, ...options } = command.opts<
  Omit<GpuOptions, 'mode'> & {
    readonly json?: string;
    readonly mode: readonly Mode[];
    readonly adapter?: 'hardware' | 'software';
  }
>();

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const hasGpu = ['/dev/dri', '/dev/nvidia0', '/dev/kfd'].some(existsSync);
const flags = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Results are let go by collections, which happen between runs.
  '--js-flags=--expose-gc',
  '--enable-unsafe-webgpu',
  // A GPU that is at work for long is not one that hangs.
  '--disable-gpu-watchdog',
  ...((adapter ?? (hasGpu ? 'hardware' : 'software')) === 'hardware'
    ? ['--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist']
    : ['--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader']),
];

interface Page {
  readonly runSuite?: (options: GpuOptions) => Promise<GpuOutcome>;
}

/** The suite in a page of its own. */
const runIn = async (browser: Browser, url: string, each: Mode): Promise<GpuOutcome> => {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const crash = new Promise<never>((_, reject) => page.once('crash', () => reject(new Error('the page crashed'))));
    page.on('pageerror', error => console.log(`page: ${error.message}`));
    page.on('console', message => {
      if (message.type() === 'error') console.log(`page: ${message.text().split('\n')[0]}`);
    });
    await page.exposeFunction('report', (rows: readonly Row[]) => console.log(rowLines(rows)));
    await page.exposeFunction('say', (text: string) => console.log(text));
    await page.goto(url);
    await page.waitForFunction(() => (globalThis as Page).runSuite !== undefined);
    const given: GpuOptions = { ...options, mode: each };
    return await Promise.race([crash, page.evaluate(asked => (globalThis as Page).runSuite!(asked), given)]);
  } finally {
    await context.close();
  }
};

const served = await serve();
const browser = await chromium.launch({ executablePath, args: flags });
const rows: Row[] = [];
try {
  for (const each of mode) {
    const outcome = await runIn(browser, served.url, each);
    rows.push(...outcome.rows);
    if (outcome.failed) process.exitCode = 1;
  }
} finally {
  await browser.close();
  served.close();
}
const targets = gpuTargets(rows);
console.log(`\n${tablesOf(rows).join('\n\n')}\n\n${explanation}\n\n${targets.map(targetLine).join('\n')}`);
if (json !== undefined) writeFileSync(json, jsonOf(rows, targets));

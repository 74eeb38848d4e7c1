/**
 * Functions of ours in a real browser: Debian's chromium, a page from a local server, our sources bundled as a page
 * gets them.
 */
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
  '--headless',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  // As for Node's adapters in software: SwiftShader takes seconds to compile that memory of workgroups is zeroed.
  '--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const html = '<!doctype html><meta charset="utf-8"><title>tenfold</title><link rel="icon" href="data:,">';

let browser: Promise<Browser> | undefined;

const started = (): Promise<Browser> => {
  if (!existsSync(executablePath)) {
    throw new Error(
      `These tests need Debian's chromium, and there is no ${executablePath}. Install it with ` +
        '`apt-get install --no-install-recommends chromium`, or let CHROMIUM name the executable.',
    );
  }
  browser ??= chromium.launch({ executablePath, args: flags, timeout: 50_000 });
  return browser;
};

/**
 * The modules of an entry by their names, the one of the entry as main.js; what is imported lazily is a module of its
 * own.
 */
export const modulesOf = async (entry: string): Promise<ReadonlyMap<string, string>> => {
  const { outputFiles } = await build({
    entryPoints: { main: fileURLToPath(new URL(entry, import.meta.url)) },
    bundle: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    conditions: ['tenfold-source'],
    // What only Node has is not reached in a page.
    external: ['node:*', 'webgpu'],
    logLevel: 'silent',
    outdir: '/',
    write: false,
  });
  return new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
};

const serve = (modules: ReadonlyMap<string, string>): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer(({ url }, response) => {
      const script = modules.get((url ?? '').slice(1));
      response.writeHead(200, { 'Content-Type': script === undefined ? 'text/html' : 'text/javascript' });
      response.end(script ?? html);
    });
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });

/**
 * The result of the function `run(args)` of an entry (a path from this folder) in a fresh page. Arguments and result
 * are JSON. What is thrown in the page is thrown here.
 */
export const inBrowser = async <T>(entry: string, args?: unknown): Promise<T> => {
  const running = await started();
  const server = await serve(await modulesOf(entry));
  const context = await running.newContext();
  try {
    const page = await context.newPage();
    const errors: string[] = [];
    // What drivers and browsers say beside the result, often of speed: for whoever looks for the reason of an error.
    const complaints: string[] = [];
    page.on('pageerror', error => errors.push(String(error)));
    page.on('crash', () => errors.push('the page crashed'));
    page.on('console', message => {
      if (['error', 'warning', 'assert'].includes(message.type())) complaints.push(message.text());
    });
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    const text = await page
      .evaluate<string>(
        `import('./main.js').then(({ run }) => run(${JSON.stringify(args)})).then(result => JSON.stringify(result ?? null))`,
      )
      .catch(error => {
        throw new Error(`in the page: ${error}\n${complaints.join('\n')}`);
      });
    if (errors.length > 0) throw new Error(`in the page: ${errors.join('\n')}`);
    return JSON.parse(text) as T;
  } finally {
    await context.close();
    server.closeAllConnections();
    server.close();
  }
};

/** To be called when all tests are done. */
export const closeBrowser = async (): Promise<void> => {
  await (await browser)?.close();
  browser = undefined;
};

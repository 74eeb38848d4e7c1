/** Training in a real browser: Debian's chromium, a page from a local server, and the bits that Node computes. */
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { bundle } from './bundle.js';
import { files, read, type readInPage } from './reading.js';
import { type Shared, share } from './sharing.js';
import { type Trained, train } from './training.js';

const timeout = 60_000;
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const html = '<!doctype html><meta charset="utf-8"><title>tenfold</title><link rel="icon" href="data:,">';
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Every path is a page, but for `…/main.js` and files; those under `/isolated/` are cut off from other origins. */
const serve = (script: string, made: Readonly<Record<string, Uint8Array>>): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer(({ url }, response) => {
      const [, name] = /^\/files\/(\w+)$/.exec(url ?? '') ?? [];
      if (name !== undefined) {
        response.writeHead(made[name] === undefined ? 404 : 200, { 'Content-Type': 'application/octet-stream' });
        response.end(made[name]);
        return;
      }
      const [type, content] = url?.endsWith('/main.js') ? ['text/javascript', script] : ['text/html', html];
      response.writeHead(200, { 'Content-Type': type, ...(url?.startsWith('/isolated/') ? isolation : {}) });
      response.end(content);
    });
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });

interface Setting {
  readonly browser: Browser;
  readonly server: Server;
}

const start = async (): Promise<Setting> => {
  if (!existsSync(executablePath)) {
    throw new Error(
      `The browser tests need Debian's chromium, and there is no ${executablePath}. Install it with ` +
        '`apt-get install --no-install-recommends chromium`, or let CHROMIUM name the executable.',
    );
  }
  const script = await bundle(
    "export { train } from './training.js'; export { share } from './sharing.js'; export { readInPage } from './reading.js';",
  );
  // Playwright makes an empty profile for every launch, and removes it.
  const browser = await chromium.launch({ executablePath, args: flags, timeout: timeout - 10_000 });
  return { browser, server: await serve(script, await files()) };
};

let setting: Promise<Setting> | undefined;

/** Started by the first test that needs it, so that a browser that does not start fails tests, and skips none. */
const started = (): Promise<Setting> => {
  setting ??= start();
  return setting;
};

afterAll(async () => {
  const running = await setting?.catch(() => undefined);
  await running?.browser.close();
  running?.server.close();
}, timeout);

/** The value of an expression in a fresh page; whatever goes wrong there, or is complained of, is an error here, but for what is expected. */
const inPage = async <T>(folder: 'isolated' | 'plain', expression: string, expected?: RegExp): Promise<T> => {
  const { browser, server } = await started();
  const { port } = server.address() as AddressInfo;
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', error => complaints.push(String(error)));
    page.on('crash', () => complaints.push('the page crashed'));
    page.on('console', message => {
      const complains = ['error', 'warning', 'assert'].includes(message.type());
      if (complains && expected?.test(message.text()) !== true) complaints.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${port}/${folder}/`, { timeout });
    const value: T = await page.evaluate(expression);
    // What was thrown outside of the expression is reported by the next turn of the page.
    await page.evaluate('new Promise(resolve => setTimeout(resolve))');
    if (complaints.length > 0) throw new Error(`in the page: ${complaints.join('\n')}`);
    return value;
  } finally {
    await context.close();
  }
};

describe('in Chromium, ten steps of training and a sample', { timeout }, () => {
  const expected = train();

  test('are not trivial', () => {
    expect(expected.losses).toHaveLength(10);
    expect(new Set(expected.losses).size).toBe(10);
    expect(expected.losses.every(loss => loss > 0 && loss < 10)).toBe(true);
    expect(new Set(expected.samples.bits).size).toBeGreaterThan(20);
  });

  test.each([
    ['isolated', true],
    ['plain', false],
  ] as const)('have the bits that they have in Node: %s page', async (folder, isolated) => {
    const [actual, crossOriginIsolated] = await inPage<[Trained, boolean]>(
      folder,
      "import('./main.js').then(({ train }) => [train(), crossOriginIsolated])",
    );
    expect(crossOriginIsolated).toBe(isolated);
    expect(actual).toEqual(expected);
  });
});

describe('in Chromium, a program for threads', { timeout }, () => {
  test.each([
    ['isolated', 3, null],
    ['plain', 1, expect.stringMatching(/isolated/)],
  ] as const)(
    'has the bits that it has in Node, computed by workers where there can be any: %s page',
    async (folder, threads, reason) => {
      const expected = await share(1);
      expect(expected.checksums).toHaveLength(1);
      const actual = await inPage<Shared>(folder, "import('./main.js').then(({ share }) => share(3))");
      expect(actual).toEqual({ checksums: expected.checksums, threads, ready: threads, shared: threads > 1, reason });
    },
  );
});

describe('in Chromium, files', { timeout }, () => {
  test('are read from a server and from Blobs as Node reads them, and are refused in words', async () => {
    const made = await files();
    const expected = await read(name => made[name]!);
    // The browser itself writes on the console that what was asked for is not there.
    const [blobs, fetched, missing, path] = await inPage<Awaited<ReturnType<typeof readInPage>>>(
      'plain',
      "import('./main.js').then(({ readInPage }) => readInPage(location.origin))",
      /404 \(Not Found\)/,
    );
    expect(blobs).toEqual(expected);
    expect(fetched).toEqual(expected);
    expect(missing).toMatch(/HTTP status 404/);
    expect(path).toMatch(/there is no file system here/);
  });
});

describe('what goes wrong in a page fails the test', { timeout }, () => {
  test.each([
    ['an error', "import('./main.js').then(() => { throw new RangeError('too far') })", /RangeError: too far/],
    ['an error outside of the expression', "void setTimeout(() => { throw new Error('later') })", /Error: later/],
    ['a rejection nobody handles', "void Promise.reject(new Error('unhandled'))", /Error: unhandled/],
    ['a complaint', "console.error('it hurts')", /it hurts/],
    ['a module that is not there', "import('http://127.0.0.1:1/')", /Failed to fetch/],
  ])('%s', async (_, expression, message) => {
    await expect(inPage('plain', expression)).rejects.toThrow(message);
  });
});

/** The page of the suite for GPUs: bundled, and served with the headers that let threads share memory. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import { build } from 'esbuild';
import { common } from '../gpu/bundle.js';

const html =
  '<!doctype html><meta charset="utf-8"><title>tenfold</title><link rel="icon" href="data:,">' +
  '<script type="module" src="/page.js"></script>';

const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** The modules by their names. */
const modules = async (): Promise<ReadonlyMap<string, string>> => {
  const { outputFiles } = await build({
    ...common,
    entryPoints: { page: join(import.meta.dirname, 'page.ts') },
    outdir: 'page',
    platform: 'browser',
    // What only Node has, and is imported there only.
    external: ['webgpu', 'gl', 'node:*'],
    write: false,
  });
  return new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
};

export interface Served {
  readonly url: string;
  readonly close: () => void;
}

/** Every path is the page, but for those of modules. */
export const serve = async (): Promise<Served> => {
  const files = await modules();
  const server = createServer(({ url = '/' }, response) => {
    const module = files.get(basename(url));
    const found = extname(url) !== '.js' || module !== undefined;
    response.writeHead(found ? 200 : 404, {
      ...headers,
      'Content-Type': module === undefined ? 'text/html' : 'text/javascript',
    });
    response.end(module ?? (found ? html : ''));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
};

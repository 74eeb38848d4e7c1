/** Files as a page has them: fetched, or given as a Blob, and made there. */
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { cast, type Tensor } from 'tenfold';
import {
  encodeNpy,
  encodeNpz,
  encodePng,
  encodeSafetensors,
  readNpy,
  readNpz,
  readPng,
  readSafetensors,
  type Source,
} from 'tenfold/io';
import { key, randint } from 'tenfold/random';

const done = async <A>(task: TaskEither<Error, A>): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) throw result.left;
  return result.right;
};

const image = cast(randint(key(5), [7, 9, 3], 0, 256), 'uint8') as Tensor;
const table = cast(randint(key(6), [4, 3], -9, 9), 'float32') as Tensor;

/** Every kind of file, written with the library. */
export const files = async (): Promise<Readonly<Record<string, Uint8Array>>> => ({
  npy: encodeNpy(image),
  npz: await done(encodeNpz({ image, table })),
  png: await done(encodePng(image)),
  safetensors: encodeSafetensors({ image, table }, { kind: 'test' }),
});

/** What the readers make of files; `sourceOf` says where they are. */
export const read = async (sourceOf: (name: string) => Source): Promise<Readonly<Record<string, unknown>>> => {
  const stored = await done(readSafetensors(sourceOf('safetensors')));
  const { image: packed } = await done(readNpz(sourceOf('npz')));
  const lazy = await done(stored.tensors.table!.read);
  return {
    npy: (await done(readNpy(sourceOf('npy')))).toArray(),
    npz: packed!.toArray(),
    png: (await done(readPng(sourceOf('png')))).toArray(),
    safetensors: lazy.toArray(),
    metadata: stored.metadata,
  };
};

/** From Blobs of files that were made here, and from the server. */
export const readInPage = async (server: string): Promise<readonly unknown[]> => {
  const made = await files();
  const blobs = await read(name => new Blob([made[name]! as Uint8Array<ArrayBuffer>]));
  const fetched = await read(name => new URL(`${server}/files/${name}`));
  const missing = await readNpy(new URL(`${server}/files/none`))();
  const path = await readNpy('a/path')();
  return [blobs, fetched, E.isLeft(missing) && missing.left.message, E.isLeft(path) && path.left.message];
};

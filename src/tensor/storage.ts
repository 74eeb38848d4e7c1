/** Values that have been computed: the seam between graph nodes and backends. */
import type { DType, TypedArray } from './dtype.js';

/**
 * The elements of one realised tensor, wherever they live. A storage is immutable;
 * `read` and `readSync` may hand out the backing array, so whoever passes it on to a user copies it first.
 */
export interface Storage {
  readonly dtype: DType;
  readonly size: number;
  /** Where it is, if only a device's backend can work on it without a transfer. */
  readonly device?: 'gpu';
  read(): Promise<TypedArray>;
  /** @throws DeviceError of the operation `read` where the elements can only be had asynchronously */
  readSync(): TypedArray;
}

/** A storage in ordinary garbage-collected memory. The array must not be written to afterwards. */
export class HostStorage implements Storage {
  readonly dtype: DType;
  readonly array: TypedArray;

  constructor(dtype: DType, array: TypedArray) {
    this.dtype = dtype;
    this.array = array;
  }

  get size(): number {
    return this.array.length;
  }

  read(): Promise<TypedArray> {
    return Promise.resolve(this.array);
  }

  readSync(): TypedArray {
    return this.array;
  }
}

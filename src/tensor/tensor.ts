/** The public value: an immutable tensor. */
import { allocating, copyOf, type DType, outOfMemory, type TypedArray, type TypedArrayOf } from './dtype.js';
import { ArgumentError, DeviceError, ShapeError } from './errors.js';
import { readNow, storageOf } from './evaluate.js';
import { type Node, traceOf } from './graph.js';
import { nest, print } from './print.js';
import { type Shape, showAval, sizeOf } from './shape.js';
import type { ElementOf, ToArray } from './shape-types.js';

/**
 * An n-dimensional array of one dtype: an immutable description of how its value is computed, which happens
 * when the value is first read.
 *
 * Made by `tensor`, `zeros`, …, and by operations; there is nothing to free.
 *
 * @example
 * ```js
 * import { add, tensor } from 'tenfold';
 * const x = add(tensor([1, 2, 3]), 1);
 * x.shape; // => [3]
 * x.dtype; // => 'float32'
 * x.toArray(); // => [2, 3, 4]
 * ```
 */
export class Tensor<out S extends Shape = Shape, out D extends DType = DType> {
  /** Lengths of the axes, outermost first; `[]` for a scalar. */
  readonly shape: S;
  readonly dtype: D;
  readonly #node: Node;

  /** @internal Users make tensors by functions. */
  constructor(node: Node) {
    this.#node = node;
    this.shape = Object.freeze(node.shape) as S;
    // A number has no dtype of its own; alone it computes in that of tensor(2).
    this.dtype = (node.weak?.kind === 'number' ? 'float32' : node.dtype) as D;
    Object.freeze(this);
  }

  /** @internal */
  static nodeOf(tensor: Tensor): Node {
    return tensor.#node;
  }

  /**
   * The elements in row-major order, computed if need be; a copy of the caller's own. bool comes as bytes 0 and 1.
   *
   * Of a tensor on the GPU, they come from there the first time; from then on they can be had at once, too.
   *
   * @throws TraceError inside a function that is being traced
   * @throws MemoryError when there is no memory to compute them, or for the copy
   * @throws DeviceError when the device could not compute them
   */
  async data(): Promise<TypedArrayOf[D]> {
    const value = storageOf(this.#node);
    try {
      return copyOf(await value.read()) as TypedArrayOf[D];
    } catch (error) {
      throw outOfMemory(error, 'data', this.dtype, this.shape);
    }
  }

  /**
   * As {@link Tensor.data}, at once.
   *
   * @throws TraceError inside a function that is being traced
   * @throws DeviceError for a tensor on the GPU whose {@link Tensor.data} nobody has awaited yet
   */
  dataSync(): TypedArrayOf[D] {
    return this.#elements('dataSync', copyOf) as TypedArrayOf[D];
  }

  /**
   * The only element.
   *
   * @throws ShapeError unless there is exactly one
   * @throws DeviceError as {@link Tensor.dataSync}
   */
  item<E extends DType>(this: Tensor<Shape, E>): ElementOf<E> {
    if (sizeOf(this.shape) !== 1) {
      throw new ShapeError({
        operation: 'item',
        given: showAval(this),
        rule: 'only a tensor of one element has an item',
        hint: 'Use toArray() or data(), or reduce it first: sum(x).item().',
      });
    }
    const element = this.#elements('item', elements => elements[0]!);
    return (this.dtype === 'bool' ? element !== 0 : element) as ElementOf<E>;
  }

  /**
   * The elements as nested arrays of numbers, or of booleans for bool. A scalar gives the bare element.
   *
   * @throws DeviceError as {@link Tensor.dataSync}
   */
  toArray<X extends Tensor>(this: X): ToArray<X['shape'], X['dtype']> {
    return this.#elements('toArray', elements => {
      const list: (number | boolean)[] =
        this.dtype === 'bool' ? Array.from(elements, x => x !== 0) : Array.from(elements);
      return nest(list, this.shape);
    }) as ToArray<X['shape'], X['dtype']>;
  }

  /**
   * The values in the manner of NumPy, abbreviated where there are many. Inside a trace, and of a tensor on the GPU that
   * was not read yet, shape and dtype only.
   */
  toString(): string {
    const trace = traceOf(this.#node);
    if (trace === undefined) {
      try {
        return this.#elements('toString', elements => print(elements, this));
      } catch (error) {
        if (!(error instanceof DeviceError && error.operation === 'toString')) throw error;
        return `Tensor ${showAval(this)} (on the gpu, not read yet)`;
      }
    }
    const { weak } = this.#node;
    if (weak === null) return `Tensor ${showAval(this)} (a placeholder of ${trace.name})`;
    return `a ${weak.kind} that ${trace.name} has not seen yet (${asSetting})`;
  }

  /** Text where text is wanted; arithmetic would give NaN without a word, so it is refused. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    const { weak } = this.#node;
    throw new ArgumentError({
      operation: 'a JavaScript operator',
      given:
        weak === null
          ? `a tensor ${showAval(this)}`
          : `a placeholder of ${traceOf(this.#node)!.name} for a ${weak.kind}`,
      rule: 'operators such as +, * and < compute with numbers, not with tensors',
      hint: `Use add(), mul(), less() …${weak === null ? ', or read the number first: item()' : `; ${asSetting}`}.`,
    });
  }

  /** What is made of the elements, which may be those that the library itself works with. */
  #elements<R>(operation: string, make: (elements: TypedArray) => R): R {
    const value = storageOf(this.#node);
    return allocating(operation, this.dtype, this.shape, () => make(readNow(operation, this, value, readHint)));
  }

  get [Symbol.toStringTag](): string {
    return `Tensor ${showAval(this)}`;
  }

  /** What console.log shows in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** How the elements of a tensor on a device are had. */
const readHint = "Await x.data() first, after which this works, or move it: await toDevice(x, 'cpu').";

/** How a function gets to know a number or boolean that it is set up by. */
const asSetting = 'to set something up with it, list its argument in static: jit(f, { static: [1] })';

/** The node of a tensor. For the library's own use. */
export const nodeOf = (tensor: Tensor): Node => Tensor.nodeOf(tensor);

/** A tensor around a node. For the library's own use. */
export const wrap = <S extends Shape, D extends DType>(node: Node): Tensor<S, D> => new Tensor<S, D>(node);

/**
 * Whether a value is a tensor of this library.
 *
 * @example
 * ```js
 * import { isTensor, tensor } from 'tenfold';
 * [isTensor(tensor([1])), isTensor([1])]; // => [true, false]
 * ```
 */
export const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;

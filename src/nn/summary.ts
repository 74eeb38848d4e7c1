/** A model as a table: its layers, what they give, how many parameters and how much arithmetic they have. */
import { asKey, type Key } from '../random/key.js';
import { type Graph, type Node, resolve, topological } from '../tensor/graph.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import type { FoldParams, WhileParams } from '../tensor/primitives/signatures.js';
import { type Aval, checkArgument, checkShape, type Shape, showShape, sizeOf } from '../tensor/shape.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { trace } from '../tensor/transform/trace.js';
import { type Flat, flattenFor, type Path, showPath, tensorsOf } from '../tree/tree.js';
import { flopsOf } from './flops.js';
import { checkLayer } from './skips.js';

/** A layer in a {@link Summary}. */
export interface SummaryLayer {
  /** Where its parameters are: `blocks[0].linear1`. */
  readonly name: string;
  /** The shape of the last operation with its parameters, of one step if it is in a loop; null if there is none. */
  readonly shape: Shape | null;
  /** How many elements its parameters have. */
  readonly parameters: number;
  /** Operations with its parameters. */
  readonly flops: number;
}

/** What {@link summary} finds. */
export interface Summary {
  /** Layers with parameters, in the order in which they are used. */
  readonly layers: readonly SummaryLayer[];
  /** The shapes of all that the model gives. */
  readonly outputs: readonly Shape[];
  /** How many elements all parameters have. */
  readonly parameters: number;
  /** All operations, also those without parameters: activations, statistics, the weights of attention. */
  readonly flops: number;
  /** All of it as a table. */
  toString(): string;
}

/** What a node is made of: of inputs, or of the parameters of some layers alone. */
interface Origin {
  readonly data: boolean;
  readonly layers: readonly number[];
}

/** What is found out about a layer. */
interface Found {
  shape: Shape | null;
  flops: number;
}

const constant: Origin = { data: false, layers: [] };
const given: Origin = { data: true, layers: [] };

const joined = (origins: readonly Origin[]): Origin => {
  if (origins.some(({ data }) => data)) return given;
  const layers = [...new Set(origins.flatMap(origin => origin.layers))];
  return layers.length === 0 ? constant : { data: false, layers };
};

/** A body that a node runs: how often, and what its parameters come from. */
interface Body {
  readonly graph: Graph;
  readonly times: number;
  readonly origins: readonly Origin[];
}

/** The bodies of a node; of several branches it has to be seen which counts. */
const bodiesOf = ({ op, params }: Node, origins: readonly Origin[]): readonly Body[] => {
  switch (op) {
    case 'call':
    case 'custom':
      return [{ graph: params.body as Graph, times: 1, origins }];
    case 'cond':
      return (params.branches as readonly Graph[]).map(graph => ({ graph, times: 1, origins: origins.slice(1) }));
    case 'fold': {
      const { body, length, captures, carries } = params as unknown as FoldParams;
      return [
        {
          graph: body,
          times: length,
          origins: origins.map((o, i) => (i >= captures && i < captures + carries ? given : o)),
        },
      ];
    }
    case 'while': {
      const { test, body, testCaptures, bodyCaptures } = params as unknown as WhileParams;
      const carries = origins.slice(testCaptures + bodyCaptures).map(() => given);
      return [
        { graph: test, times: 1, origins: [...origins.slice(0, testCaptures), ...carries] },
        { graph: body, times: 1, origins: [...origins.slice(testCaptures, testCaptures + bodyCaptures), ...carries] },
      ];
    }
    default:
      return [];
  }
};

/** The shape of a result; in that of a convolution channels stand together, whatever group they are of. */
const shapeOf = ({ op, shape }: Node): Shape =>
  op === 'conv' ? [shape[0]!, shape[1]! * shape[2]!, ...shape.slice(3)] : shape;

/** The operations of a graph in all; what falls to layers is added to what is known of them. */
const count = (graph: Graph, given: readonly Origin[], times: number, layers: Map<number, Found>): number => {
  const origins = new Map<Node, Origin>(graph.parameters.map((parameter, i) => [parameter, given[i]!]));
  let flops = 0;
  for (const node of topological(graph.outputs, each => !origins.has(each))) {
    const inputs = node.inputs.map(input => origins.get(resolve(input))!);
    const origin = joined(inputs);
    origins.set(node, origin);
    const bodies = bodiesOf(node, inputs).map(body => {
      const own = new Map<number, Found>();
      return { own, all: count(body.graph, body.origins, times * body.times, own) };
    });
    const most = bodies.reduce((best, { all }) => Math.max(best, all), 0);
    const counted = node.op === 'cond' ? bodies.filter(({ all }) => all === most).slice(0, 1) : bodies;
    for (const { own, all } of counted) {
      flops += all;
      for (const [layer, found] of own) add(layers, layer, found.flops, found.shape);
    }
    const here = times * flopsOf(node);
    flops += here;
    if (bodies.length > 0) continue;
    const [layer] = origin.data ? joined(inputs.filter(({ data }) => !data)).layers : origin.layers;
    if (layer !== undefined) add(layers, layer, here, origin.data ? shapeOf(node) : null);
  }
  return flops;
};

/** Adds to what is known of a layer. A layer is used where its parameters meet inputs: there it gets its place. */
const add = (layers: Map<number, Found>, layer: number, flops: number, shape: Shape | null): void => {
  const found = layers.get(layer) ?? { shape: null, flops: 0 };
  if (found.shape === null && shape !== null) layers.delete(layer);
  found.flops += flops;
  found.shape = shape ?? found.shape;
  layers.set(layer, found);
};

/** The shapes of parameters, and how they stand together; none is computed. */
const parametersOf = (init: (key: Key) => unknown): { readonly flat: Flat; readonly avals: readonly Aval[] } => {
  let flat = flattenFor('summary', null);
  let avals: readonly Aval[] = [];
  trace('summary', [{ shape: [2], dtype: 'uint32' }], ([key]) => {
    flat = flattenFor('summary', init(asKey(key!)));
    const nodes = tensorsOf('summary', flat).map(nodeOf);
    avals = nodes.map(({ shape, dtype }) => ({ shape, dtype }));
    return nodes;
  });
  return { flat, avals };
};

const showCount = (value: number): string => String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',');

const showTable = ({ layers, outputs, parameters, flops }: Omit<Summary, 'toString'>): string => {
  const rest = flops - layers.reduce((sum, layer) => sum + layer.flops, 0);
  const rows = [
    ['layer', 'output', 'parameters', 'flops'],
    ...layers.map(({ name, shape, parameters: own, flops: work }) => [
      name,
      shape === null ? 'not used' : showShape(shape),
      showCount(own),
      showCount(work),
    ]),
    ['(without parameters)', '', '', showCount(rest)],
    ['total', outputs.map(showShape).join(' '), showCount(parameters), showCount(flops)],
  ];
  const widths = [0, 1, 2, 3].map(column => Math.max(...rows.map(row => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return rows.map(row => row.map(pad).join('  ').trimEnd()).join('\n');
};

/** A layer of any inputs. */
interface AnyLayer {
  readonly init: (key: Key) => unknown;
  // Parameters and inputs are arguments, so no type but never stands for those of every layer.
  readonly apply: (params: never, ...inputs: never) => unknown;
}

/**
 * The layers of a model that have parameters, what they give, how many parameters they have and what they compute.
 * Prints as a table. Nothing is computed for it: the model is traced, not run.
 *
 * A layer is a record of parameters, found wherever it is used, in loops as well. Its operations are those that its
 * parameters take part in: two for each multiplication and addition of a product, one for each element elsewhere. A
 * loop of unknown length counts once, of branches the longest.
 *
 * @param inputs for each input of the model a shape, of a float32 tensor, or a tensor like it; anything else is handed
 *   on
 * @throws ArgumentError for what is no layer, ShapeError for what is no shape; TraceError when the model reads values
 *   of its inputs, TreeError for parameters that are no tensors, and what the model throws
 * @numpy flax.linen.tabulate
 * @pytorch torchinfo.summary
 * @example
 * ```js
 * import { relu } from 'tenfold';
 * import { activation, linear, sequential, summary } from 'tenfold/nn';
 * const { layers, parameters } = summary(sequential(linear(2, 64), activation(relu), linear(64, 3)), [5, 2]);
 * layers[0]; // => { name: '[0]', shape: [5, 64], parameters: 192, flops: 1600 }
 * layers[1].name; // => '[2]'
 * parameters; // => 387
 * ```
 */
export const summary = (model: AnyLayer, ...inputs: readonly unknown[]): Summary => {
  checkLayer('summary', model);
  checkArgument(
    inputs.length > 0,
    'summary',
    'no input',
    'it takes the shape of each input',
    'Write summary(model, [64, 3]).',
  );
  const isShape = inputs.map(input => Array.isArray(input) && input.every(length => typeof length === 'number'));
  const avals = inputs.flatMap((input, i): readonly Aval[] => {
    if (isShape[i]) return [{ shape: checkShape('summary', input as Shape), dtype: 'float32' }];
    checkArgument(
      typeof input === 'object' && input !== null,
      'summary',
      `${kindOf(input)} as an input`,
      'an input is a shape, a tensor or a record',
      'Write summary(model, [64, 3]).',
    );
    return isTensor(input) ? [{ shape: input.shape, dtype: input.dtype }] : [];
  });
  const { flat, avals: own } = parametersOf(model.init);
  let outputs: readonly Shape[] = [];
  const { graph, captures } = trace('summary', [...own, ...avals], nodes => {
    const tensors = nodes.map(node => wrap(node));
    const params = flat.unflatten(tensors.slice(0, own.length));
    let next = own.length;
    const args = inputs.map((input, i) => (isShape[i] || isTensor(input) ? tensors[next++] : input));
    const apply = model.apply as (params: unknown, ...inputs: readonly unknown[]) => unknown;
    const results = tensorsOf('summary', flattenFor('summary', apply(params, ...args)));
    outputs = Object.freeze(results.map(({ shape }: Tensor) => shape));
    return results.map(nodeOf);
  });
  const parents = flat.paths.map((path: Path) => showPath(path.slice(0, -1)));
  const names = [...new Set(parents)];
  const found = new Map<number, Found>();
  const origins = [
    ...captures.map(() => given),
    ...parents.map((name): Origin => ({ data: false, layers: [names.indexOf(name)] })),
    ...avals.map(() => given),
  ];
  const flops = count(graph, origins, 1, found);
  const used = [...found.keys()].filter(layer => found.get(layer)!.shape !== null);
  const order = [...used, ...names.map((_, layer) => layer).filter(layer => !used.includes(layer))];
  const layers = order.map((layer): SummaryLayer => {
    const parameters = own.reduce((sum, { shape }, i) => sum + (parents[i] === names[layer] ? sizeOf(shape) : 0), 0);
    const { shape = null, flops: work = 0 } = found.get(layer) ?? {};
    return Object.freeze({ name: names[layer]!, shape, parameters, flops: work });
  });
  const parameters = own.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const all = { layers: Object.freeze(layers), outputs, parameters, flops };
  const show = (): string => showTable(all);
  return Object.freeze({ ...all, toString: show, [Symbol.for('nodejs.util.inspect.custom')]: show });
};

/** The names that guided-diffusion has for the parameters of its U-Nets. */
import type { Path } from '../../tree/tree.js';

/** What is called otherwise wherever it is; numbers are places in its lists of layers. */
const steps: Readonly<Record<string, string>> = {
  inputBlocks: 'input_blocks',
  middleBlock: 'middle_block',
  outputBlocks: 'output_blocks',
  labelEmb: 'label_emb',
  inNorm: 'in_layers.0',
  inConv: 'in_layers.2',
  embedding: 'emb_layers.1',
  outNorm: 'out_layers.0',
  outConv: 'out_layers.3',
  skip: 'skip_connection',
  projOut: 'proj_out',
  positionalEmbedding: 'positional_embedding',
  qkvProj: 'qkv_proj',
  cProj: 'c_proj',
};

/**
 * @internal
 * @param out the places of the layers of the part `out`, by our names
 */
export const stateNames = (out: Readonly<Record<string, number>>): ((path: Path) => string) => {
  const places: Readonly<Record<string, Readonly<Record<string, number>>>> = { out, timeEmbed: { first: 0, last: 2 } };
  return path => {
    const [part, layer, ...rest] = path;
    const place = places[part!]?.[layer!];
    const renamed = (list: Path): string[] => list.map(step => steps[step] ?? String(step));
    if (place === undefined) return renamed(path).join('.');
    return [part === 'out' ? 'out' : 'time_embed', place, ...renamed(rest)].join('.');
  };
};

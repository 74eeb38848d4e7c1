/** Functions that are the same for every program: packing and multiplying float32, compiled and optimised once. */
import type { Callee, FunctionWriter, Import } from '../assembler.js';
import { tallest, writeTiles } from './blocks.js';
import { packColumns, packers } from './pack.js';
import { writeStageRow } from './stage.js';
import type { TileSide } from './winograd/forms.js';
import {
  copyName,
  inputName,
  kernelName,
  outputName,
  placesName,
  tapsName,
  writeTransforms,
} from './winograd/transforms.js';

const stageRow = writeStageRow();

/** The functions as programs call them. */
export interface Library {
  /** Rows of the tallest block. */
  readonly tallest: number;
  pack(width: number): Callee;
  tile(rows: number, vectors: number): Callee;
  readonly packColumns: Callee;
  readonly stageRow: Callee;
  readonly copyPlane: Callee;
  winogradInput(side: TileSide): Callee;
  winogradKernel(side: TileSide, rows: number): Callee;
  winogradOutput(side: TileSide): Callee;
  winogradPlaces(side: TileSide, rows: number): Callee;
  winogradTaps(side: TileSide, channels: number): Callee;
}

/** The functions by name, with fused multiply-add or without. */
export const libraryFunctions = (
  fma: boolean,
): readonly { readonly name: string; readonly writer: FunctionWriter }[] => [
  ...[...packers].map(([width, writer]) => ({ name: `pack${width}`, writer })),
  { name: 'packColumns', writer: packColumns },
  { name: 'stageRow', writer: stageRow },
  ...[...writeTiles(fma), ...writeTransforms(fma)].map(([name, writer]) => ({ name, writer })),
];

const makeLibrary = (fma: boolean): Library => {
  const imports = new Map(
    libraryFunctions(fma).map(({ name, writer }): [string, Import] => [
      name,
      { name, parameters: writer.parameters, results: [] },
    ]),
  );
  return {
    tallest: tallest(fma),
    pack: width => imports.get(`pack${width}`)!,
    packColumns: imports.get('packColumns')!,
    stageRow: imports.get('stageRow')!,
    copyPlane: imports.get(copyName)!,
    winogradInput: side => imports.get(inputName(side))!,
    winogradKernel: (side, rows) => imports.get(kernelName(side, rows))!,
    winogradOutput: side => imports.get(outputName(side))!,
    winogradPlaces: (side, rows) => imports.get(placesName(side, rows))!,
    winogradTaps: (side, channels) => imports.get(tapsName(side, channels))!,
    tile: (rows, vectors) => imports.get(`tile${rows}x${4 * vectors}`)!,
  };
};

const libraries = new Map<boolean, Library>();

export const libraryOf = (fma: boolean): Library => {
  const library = libraries.get(fma) ?? makeLibrary(fma);
  libraries.set(fma, library);
  return library;
};

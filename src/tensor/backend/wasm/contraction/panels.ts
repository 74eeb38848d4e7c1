/** Rows cut into panels that are all nearly as high as blocks can be. */
import type { FunctionWriter, Local } from '../assembler.js';

/** The first `tall` panels have `height` rows, the others one less. */
export interface Panels {
  readonly count: number;
  readonly height: number;
  readonly tall: number;
}

export const panelsOf = (rows: number, tallest: number): Panels => {
  const count = Math.ceil(rows / tallest);
  const height = Math.ceil(rows / count);
  return { count, height, tall: rows - count * (height - 1) };
};

/** The first row of a panel, left on the stack. */
export const firstRow = (f: FunctionWriter, { count, height, tall }: Panels, panel: Local): FunctionWriter => {
  f.get(panel).i32(height).op('i32.mul');
  if (tall === count) return f;
  // Less one for each panel that is not tall.
  f.get(panel).i32(tall).op('i32.sub').i32(0).get(panel).i32(tall).op('i32.gt_u', 'select');
  return f.op('i32.sub');
};

/** `body` with the height of a panel, which WebAssembly decides on. */
export const byHeight = (
  f: FunctionWriter,
  { count, height, tall }: Panels,
  panel: Local,
  body: (height: number) => void,
): void => {
  if (tall === count) body(height);
  else
    f.get(panel)
      .i32(tall)
      .op('i32.lt_u')
      .if(
        () => body(height),
        () => body(height - 1),
      );
};

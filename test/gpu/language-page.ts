/** The elementwise primitives on WebGL, in a page. */
import { openTextures } from '../../src/tensor/backend/gpu/launch/textures.js';
import { cases } from './language-cases.js';
import { kernelOf, wrongOn } from './language-checks.js';

export const run = async (): Promise<readonly string[]> => {
  const launcher = await openTextures('webgl2');
  const wrong = await wrongOn(launcher, kernelOf, cases());
  await launcher.destroy();
  return wrong;
};

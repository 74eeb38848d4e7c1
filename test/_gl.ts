import { openTextures } from '../src/tensor/backend/gpu/launch/textures.js';
const l = await openTextures('headlessgl');
console.log(l.adapter, l.traits);

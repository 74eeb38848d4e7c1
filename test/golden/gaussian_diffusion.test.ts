import { diffusionTests } from './gaussian_diffusion.js';

diffusionTests(['float32', 'float64']);

/** An unconditional U-Net, as guided-diffusion has it. */
import { networkTests } from './unet.js';

networkTests('unet_a');

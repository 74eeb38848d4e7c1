/** A U-Net without learnt changes of resolution, as guided-diffusion has it. */
import { networkTests } from './unet.js';

networkTests('unet_c');

/** Our client and server for the interop run and the bench: see program.ts for the arguments. */
import { argv } from 'node:process';
import { runProgram } from './program.ts';
import { weir } from './weir.ts';

await runProgram(weir, argv.slice(2));

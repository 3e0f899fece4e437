import { asExecutable, runOf } from './command-line.ts';
import { customerCommands } from './customer-commands.ts';

/** The command line of the package isthmus-gateway. */
const line = {
  commands: customerCommands,
  examples: [
    'isthmus gateway --with-shipper    # after isthmus enroll',
    'isthmus gateway --local ./apis    # a gateway from files, no control plane',
    'isthmus gateway --help            # examples of one command',
  ],
};

await asExecutable((args) => runOf(line, args));

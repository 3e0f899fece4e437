import { closeBuiltIns } from '../../proto/process/built-ins.ts';

// Imported before every test file: see proto/process/built-ins.ts.
closeBuiltIns();

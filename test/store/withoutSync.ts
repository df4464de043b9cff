/** Loaded before the program under test, in its threads too: the embedded database gets the file system that PGlite ships. */

import { NodeFS } from '@electric-sql/pglite/nodefs';
import { DurableFiles } from '../../src/store/pglite/durableFiles.ts';

DurableFiles.prototype.init = NodeFS.prototype.init;

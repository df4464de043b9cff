/**
 * The bare limit of (c): the same HTTP adapter over the same embedded database, whose one endpoint does nothing but a durable insert.
 * Run as a process of its own: node bench/bareServer.ts PORT DATA_DIR
 */

import { z } from 'zod';
import { contract } from '../src/features/endpoint.ts';

import { writeFileSync } from 'node:fs';
import { promisesPage, readHeld, readPromises } from './collect.ts';

const root = process.cwd();
writeFileSync('docs/promises.md', promisesPage(readPromises(root), readHeld(root)));

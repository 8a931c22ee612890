import { writeFileSync } from 'node:fs';
import { generatedPages } from './pages.ts';

for (const [file, text] of Object.entries(generatedPages())) writeFileSync(file, text);

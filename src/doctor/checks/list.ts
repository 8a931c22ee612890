import type { Check } from '../check.ts';
import { authority } from './authority.ts';
import { clients } from './clients.ts';
import { configuration } from './configuration.ts';
import { environment } from './environment.ts';
import { handOver } from './hand-over.ts';
import { helper } from './helper.ts';
import { home } from './home.ts';
import { index } from './index-file.ts';
import { jail } from './jail.ts';
import { lists } from './lists.ts';
import { lock } from './lock.ts';
import { namespaces } from './namespaces.ts';
import { nativeModule } from './native-module.ts';
import { node } from './node.ts';
import { runs } from './runs.ts';
import { storage } from './storage.ts';

/** In the order in which they are made and told: what others stand on comes first. */
export const CHECKS: readonly Check[] = [
  node,
  home,
  environment,
  nativeModule,
  helper,
  namespaces,
  handOver,
  storage,
  lock,
  configuration,
  lists,
  authority,
  jail,
  runs,
  clients,
  index,
];

import { blobStoreSuite } from '../../test/suites/blob-store-suite.ts';
import { openMemoryBlobStore } from './index.ts';

blobStoreSuite('memory', async () => openMemoryBlobStore());

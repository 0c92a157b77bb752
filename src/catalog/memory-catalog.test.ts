import { catalogSuite } from '../../test/suites/catalog-suite.ts';
import { openMemoryCatalog } from './index.ts';

catalogSuite('memory', async () => openMemoryCatalog());

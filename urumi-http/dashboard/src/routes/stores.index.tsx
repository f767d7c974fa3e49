import { createFileRoute } from '@tanstack/react-router';
import { parseSelection } from '../stores/selection';
import { StoresPage } from '../stores/StoresPage';

export const Route = createFileRoute('/stores/')({ validateSearch: parseSelection, component: StoresPage });

import { createFileRoute } from '@tanstack/react-router';
import { StoresPage } from '../stores/StoresPage';

export const Route = createFileRoute('/stores/')({ component: StoresPage });

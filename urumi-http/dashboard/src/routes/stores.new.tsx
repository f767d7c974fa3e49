import { createFileRoute } from '@tanstack/react-router';
import { CreatePage } from '../create/CreatePage';

export const Route = createFileRoute('/stores/new')({ component: CreatePage });

import { createFileRoute } from '@tanstack/react-router';
import { StorePage } from '../store/StorePage';

export const Route = createFileRoute('/stores/$id')({ component: StorePage });

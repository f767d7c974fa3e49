import { createFileRoute } from '@tanstack/react-router';
import { OverviewTab } from '../store/OverviewTab';

export const Route = createFileRoute('/stores/$id/')({ component: OverviewTab });

import { createFileRoute } from '@tanstack/react-router';
import { OverviewPage } from '../overview/OverviewPage';

export const Route = createFileRoute('/')({ component: OverviewPage });

import { createFileRoute } from '@tanstack/react-router';
import { Overview } from '../overview/Overview';

export const Route = createFileRoute('/')({ component: Overview });

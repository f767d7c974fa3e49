import { createFileRoute } from '@tanstack/react-router';
import { HistoryTab } from '../store/history/HistoryTab';

export const Route = createFileRoute('/stores/$id/history')({ component: HistoryTab });

import { createFileRoute } from '@tanstack/react-router';
import { LogsTab } from '../store/logs/LogsTab';
import { parseLogsSearch } from '../store/search';

export const Route = createFileRoute('/stores/$id/logs')({
  validateSearch: parseLogsSearch,
  component: LogsTab,
});

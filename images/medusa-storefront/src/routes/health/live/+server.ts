// The process runs and answers.
export const GET = () => Response.json({ status: 'ok' });

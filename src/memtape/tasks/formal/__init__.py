"""Formal languages: tasks that need a finite state, a counter, a stack or a tape."""

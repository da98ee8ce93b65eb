"""The model behind one worker: queue, priority, cancellation, deadline. Nothing here knows about editors."""

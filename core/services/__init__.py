"""What Threadline does, over the ports: asking, delivering, linking. No SDK, no SQL, no HTTP."""

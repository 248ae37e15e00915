"""What every chat platform's dialect of Markdown needs: reading it, telling links, aligning tables."""

"""What Threadline is: questions, threads, the queue and the project's assistant; no SDK in sight."""

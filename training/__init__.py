"""The data scientists' workshop: from three tables to a bundle. Never in the wheel; see README.md here."""

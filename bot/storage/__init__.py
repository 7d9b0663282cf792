"""What the bot keeps: tables, the queries on them, and the database that holds them."""

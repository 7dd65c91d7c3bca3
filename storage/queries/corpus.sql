-- Which articles did their sites allow to be used for training, and by which word?
SELECT site, headline, date_published, in_language, characters, rights, url
FROM articles
WHERE may_train
ORDER BY site, date_published DESC;

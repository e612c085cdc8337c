/* See outcome.h. */
#include "clients/doorbell/outcome.h"

bool outcome_init(struct outcome *o) {
	pthread_condattr_t attr;
	*o = (struct outcome){.told = false};
	if (pthread_condattr_init(&attr) != 0) return false;
	bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
			  pthread_cond_init(&o->changed, &attr) == 0;
	(void)pthread_condattr_destroy(&attr); /* cannot fail for an initialised one */
	if (ok && pthread_mutex_init(&o->lock, NULL) == 0) return true;
	if (ok) (void)pthread_cond_destroy(&o->changed);
	return false;
}

void outcome_fini(struct outcome *o) {
	(void)pthread_cond_destroy(&o->changed);
	(void)pthread_mutex_destroy(&o->lock);
}

void outcome_ask(struct outcome *o) {
	(void)pthread_mutex_lock(&o->lock);
	o->told = false;
	(void)pthread_mutex_unlock(&o->lock);
}

void outcome_tell(struct outcome *o, const struct vestibule_claimed *claim) {
	(void)pthread_mutex_lock(&o->lock);
	o->word = (struct outcome_word){.recorded = claim->outcome == VESTIBULE_RECORDED};
	(void)snprintf(o->word.reason, sizeof o->word.reason, "%s", claim->reason);
	(void)snprintf(o->word.sentence, sizeof o->word.sentence, "%s", claim->sentence);
	o->told = true;
	(void)pthread_cond_broadcast(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
}

void outcome_end(struct outcome *o) {
	(void)pthread_mutex_lock(&o->lock);
	o->over = true;
	(void)pthread_cond_broadcast(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
}

bool outcome_wait(struct outcome *o, int64_t timeout_ms, struct outcome_word *out) {
	struct timespec end;
	if (clock_gettime(CLOCK_MONOTONIC, &end) != 0) return false;
	end.tv_sec += (time_t)(timeout_ms / 1000);
	end.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&o->lock);
	while (!o->told && !o->over && pthread_cond_timedwait(&o->changed, &o->lock, &end) == 0)
		continue;
	bool told = o->told;
	if (told) *out = o->word;
	(void)pthread_mutex_unlock(&o->lock);
	return told;
}
